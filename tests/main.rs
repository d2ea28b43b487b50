//! The one integration test binary: every module is a way to look at the built program from outside.

mod conformance;
