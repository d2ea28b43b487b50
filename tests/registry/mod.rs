//! The registry modules from outside: the built program against the embedded service.

mod background;
mod case;
mod clients;
mod compatibility;
mod credentials;
mod defects;
mod explain;
mod forges;
mod http;
mod loops;
mod parallel;
mod recipes;
mod replay;
mod rotation;
mod siblings;
mod sinks;
pub mod stage;
mod time;
mod tls;
mod words;
