//! What policies say about a connection, without asking any cluster.
//!
//! ```text
//! Kubernetes objects -> lower -> World (model, world) -> simulate(flow) -> Decision -> explain
//!                                                     -> matrix (every pair at once, by classes of pods that no policy tells apart)
//!                    cases -> World after each step -> simulate -> expected tables
//! ```
//!
//! Invariants: pure, no clock and no randomness; order of policies, rules (of NetworkPolicy), peers and ports never matters; what the
//! Kubernetes API leaves open comes out as undefined with its reason, never as a guess; what cannot be read fails closed and says so.

pub mod cases;
pub mod cidr;
pub mod explain;
pub mod labels;
pub mod lower;
pub mod matrix;
pub mod model;
pub mod simulate;
pub mod world;
