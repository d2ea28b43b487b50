//! The one integration test binary: every module is a way to look at the built program from outside.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop there")]

mod conformance;
