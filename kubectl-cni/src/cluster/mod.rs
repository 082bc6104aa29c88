//! The only part of the program that talks to the API server. Functions here return data, never a verdict, and each of them tries again
//! what may be tried again until the request timeout has passed.

mod call;
mod cleanup;
mod connect;
mod exec;
mod gather;
mod pods;
mod session;

pub use call::CallError;
pub use cleanup::{Leftover, find_leftovers, find_leftovers_in, remove};
pub use connect::{Cluster, connect};
pub use exec::{exec_plan, pod_log};
pub use gather::{endpoint_count, gather, may, read_agent_pods, read_dns_and_api, service_of};
pub use pods::{PodReport, PodState, WaitPods, ready_pods, wait_pods};
pub use session::{Session, heartbeat};
