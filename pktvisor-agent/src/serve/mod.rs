//! How it is read: HTTP.
