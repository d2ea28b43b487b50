//! The registry modules from outside: the built program against the embedded service.

mod background;
mod case;
mod compatibility;
mod credentials;
mod defects;
mod http;
mod loops;
mod recipes;
mod replay;
mod siblings;
pub mod stage;
mod time;
mod tls;
mod words;
