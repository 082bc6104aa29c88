//! The files of `data/`, compiled in. A test compares this list with the folder.

/// Name and text of each file, as [`Facts::with_overlay`](crate::Facts::with_overlay) takes them.
pub(crate) const FILES: &[(&str, &str)] = &[];
