//! Everything said is an event; the writers make a screen, a stream or a file of it.
