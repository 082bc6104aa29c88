//! The world in, plain data out: the only modules that read files, start programs or talk to a cluster.

pub mod chart;
pub mod cluster;
mod connect;
pub mod files;
pub mod helm;
mod kubeconfig;
mod scratch;

/// Waits for a thread; what it panicked with goes on here.
pub(crate) fn joined<T>(thread: std::thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
