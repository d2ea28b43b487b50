//! What must not be shown, and the door through which output leaves.
