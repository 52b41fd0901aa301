"""The OpenFeature Remote Evaluation Protocol, 0.3.0: flags for clients in any language."""
