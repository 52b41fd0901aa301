/**
 * The flags of whoever looks at this page, for its JavaScript.
 *
 * `{% flags_json %}` in the template gives the answers without a request:
 *
 *     import { flags } from "/static/flaggate/flags.js";
 *
 *     if (flags.isActive("new_checkout")) { … }
 *     flags.addEventListener("change", ({ detail }) => { … }); // detail: the keys
 *     flags.watch();
 *
 * Nothing here throws: an unknown flag is off, and while the server can't be reached the last
 * answers stay.
 */

const REPORT_AFTER = 5_000; // milliseconds
const MOST_REPORTED = 200; // at once
const INACTIVITY = 120; // seconds in the background, unless the server says otherwise

export class Flags extends EventTarget {
  /** Attributes that only the browser knows, such as `{ screen: innerWidth }`, for `refresh()`. */
  context = {};

  #answers;
  #evaluate;
  #usage;
  #headers;
  #stream;
  #source = null; // what the last answer said of event streams
  #etag = "";
  #turn = 0;
  #current = false; // whether the last question has been answered
  #refused = false;
  #used = new Set();
  #unreported = [];
  #timer;

  /**
   * `flags`: the first answers, by key. `evaluate` and `usage`: the addresses for refreshing and
   * reporting. `headers`: what these ask for, such as `{ Authorization: "Bearer fgk_…" }`.
   * `stream`: whether to look for an event stream, which only servers under ASGI have.
   */
  constructor({ flags = {}, evaluate, usage, headers = {}, stream = true } = {}) {
    super();
    this.#answers = new Map(Object.entries(flags));
    this.#evaluate = evaluate;
    this.#usage = usage;
    this.#headers = headers;
    this.#stream = stream;
    globalThis.document?.addEventListener("visibilitychange", () => {
      if (document.hidden) this.report();
    });
  }

  /** Whether a flag is active. */
  isActive(key) {
    return this.#use(key)?.active ?? false;
  }

  /** The variant that a flag serves: its key, `on` or `off` for a boolean flag, or null. */
  variant(key) {
    return this.#use(key)?.variant || null;
  }

  /** The value that a flag serves, or `otherwise` where it has none to give. */
  value(key, otherwise = null) {
    const answer = this.#use(key);
    return answer && "value" in answer ? answer.value : otherwise;
  }

  /** Ask the server again. Resolves to whether it answered; dispatches `change` upon news. */
  async refresh() {
    return this.#refresh(this.#evaluate);
  }

  async #refresh(address) {
    if (!address) return false;
    const turn = ++this.#turn;
    this.#current = false;
    try {
      const known = this.#etag ? { "If-None-Match": this.#etag } : {};
      const response = await this.#post(address, { context: this.context }, known);
      this.#refused = response.status === 401 || response.status === 403;
      const news = response.ok ? await response.json() : null;
      if (!news && response.status !== 304) return false;
      if (turn !== this.#turn) return true; // a later one knows better
      this.#current = true;
      if (news) this.#take(news, response.headers.get("ETag") ?? "");
      return true;
    } catch {
      return false;
    }
  }

  /**
   * Follow changes until that is refused: by the server's event stream, or where there is none, or
   * it fails, by refreshing every so many seconds while the page is looked at. Returns a function
   * that ends it.
   */
  watch(seconds = 30, { stream = this.#stream } = {}) {
    let connection = null;
    let leaving;

    const connect = () => {
      const dead = !connection || connection.readyState === EventSource.CLOSED;
      if (!stream || !this.#source || !dead) return;
      connection = new EventSource(this.#source.url);
      connection.onmessage = hear;
    };
    const hangUp = () => {
      connection?.close();
      this.#etag = ""; // whoever comes back asks for everything
    };
    const hear = ({ data }) => {
      const { type, etag } = JSON.parse(data);
      if (type === "refetchEvaluation") ask(`?flagConfigEtag=${encodeURIComponent(etag)}`);
    };
    const ask = async (query = "") => {
      await this.#refresh(this.#evaluate && this.#evaluate + query);
      if (this.#refused) stop();
      else if (timer) connect();
    };
    const look = () => {
      const listens = connection?.readyState === EventSource.OPEN;
      if (!document.hidden && !(listens && this.#current)) ask();
    };
    const turn = () => {
      clearTimeout(leaving);
      const delay = this.#source?.inactivityDelaySec ?? INACTIVITY;
      if (document.hidden) leaving = setTimeout(hangUp, delay * 1000);
      else look();
    };
    const stop = () => {
      timer = clearInterval(timer);
      clearTimeout(leaving);
      document.removeEventListener("visibilitychange", turn);
      connection?.close();
    };

    let timer = setInterval(look, seconds * 1000);
    document.addEventListener("visibilitychange", turn);
    if (stream) look();
    return stop;
  }

  /** Tell the server now what was used; that happens by itself, some seconds later. */
  report() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#unreported.length) {
      const used = this.#unreported.splice(0, MOST_REPORTED);
      this.#post(this.#usage, { used }).catch(() => {}); // a count is not worth an error
    }
  }

  #use(key) {
    const answer = this.#answers.get(key);
    if (answer && this.#usage) this.#note(key, answer.variant);
    return answer;
  }

  /** Note an answer for the next report, once in the life of a page. */
  #note(flag, variant) {
    const name = `${flag} ${variant}`;
    if (this.#used.has(name)) return;
    this.#used.add(name);
    this.#unreported.push({ flag, variant });
    this.#timer ??= setTimeout(() => this.report(), REPORT_AFTER);
  }

  /** Take new answers. What is the same stays the same object, so that nothing is drawn again. */
  #take({ flags, eventStreams = [] }, etag) {
    this.#etag = etag;
    this.#source = eventStreams.find(({ type, url }) => type === "sse" && url) ?? null;
    const found = new Map(flags.filter((each) => !each.errorCode).map(read));
    const before = this.#answers;
    const keys = [...new Set([...before.keys(), ...found.keys()])];
    const same = (key) => JSON.stringify(before.get(key)) === JSON.stringify(found.get(key));
    const detail = keys.filter((key) => !same(key));
    this.#answers = new Map([...found].map(([key, it]) => [key, same(key) ? before.get(key) : it]));
    if (detail.length) this.dispatchEvent(new CustomEvent("change", { detail }));
  }

  #post(address, body, headers = {}) {
    return fetch(address, {
      method: "POST",
      headers: { ...this.#headers, ...headers, "Content-Type": "application/json" },
      body: JSON.stringify(body),
      keepalive: true, // so that the last report outlives its page
    });
  }
}

/** From an answer as OFREP writes it to its key, and what `{% flags_json %}` writes of it. */
function read({ key, metadata, variant, value }) {
  const served = value === undefined ? {} : { value };
  return [key, { active: metadata.active, variant, ...served }];
}

const element = globalThis.document?.getElementById("flaggate-flags");

/** The flags that `{% flags_json %}` has left in this page. */
export const flags = new Flags(element ? JSON.parse(element.textContent) : {});
