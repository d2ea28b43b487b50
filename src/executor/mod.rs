//! Plays over hosts: strategies, the life of a task, blocks, handlers, includes.
