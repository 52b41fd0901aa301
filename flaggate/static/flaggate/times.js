// Moments in the zone of the browser, and not in that of the server.
const shown = new Intl.DateTimeFormat(document.documentElement.lang, {
  dateStyle: "medium", timeStyle: "short",
});

for (const time of document.querySelectorAll("time.flaggate-moment")) {
  time.textContent = shown.format(new Date(time.dateTime));
}
