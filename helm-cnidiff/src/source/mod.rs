//! The world in, plain data out: the only modules that read files, start programs or talk to a cluster.

pub mod chart;
pub mod cluster;
mod connect;
pub mod files;
pub mod helm;
mod scratch;
