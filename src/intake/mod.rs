//! What kind of document is this, and which plays or tasks are in it.
