//! The embedded container registry API, with its own logic and its own store.
