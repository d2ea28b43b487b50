//! The registry modules from outside: the built program against the embedded service.

mod background;
mod case;
mod compatibility;
mod defects;
mod http;
mod journal;
mod loops;
mod replay;
mod siblings;
mod stage;
mod time;
mod tls;
mod words;
