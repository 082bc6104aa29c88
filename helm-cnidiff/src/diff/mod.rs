//! Two sets of objects in, what differs between them out.
//!
//! ```text
//! scope + lists + text -> tree::diff -> edits -> noise folds -> objects::Delta
//! ```

pub mod crd;
pub mod lists;
pub mod objects;
pub mod present;
pub mod quantity;
pub mod rbac;
pub mod scope;
pub mod sequence;
pub mod text;
pub mod tree;
pub mod values;
