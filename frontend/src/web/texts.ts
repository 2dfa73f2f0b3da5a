// Words of the page itself: the panels bring theirs.

export const WEB_TEXTS = {
  connecting: "Connecting…",
  lost: "The connection to the service is lost; what you type is kept here. Connecting again…",
  again: "Connecting again…",
  idle: "The page was idle and has been disconnected. Press a key or click to go on.",
  needs_token: "This service needs its token:",
  wrong_token: "That is not the token of this service. Try again:",
  token: "Token of the service",
  use_token: "use",
  no_plotly: "the drawing library could not be loaded from the service",
  no_root: "This page is not complete. Reload it.",
} as const;
