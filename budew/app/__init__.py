"""The page in the browser: `pages` lays it out, `server` bounds and serves it."""
