//! The registry modules from outside: the built program against the embedded service.

mod case;
mod compatibility;
mod replay;
mod stage;
