//! The only part of the program that talks to the API server. Functions here return data, never a verdict, and each of them tries again
//! what may be tried again until the request timeout has passed.

mod agents;
mod call;
mod cleanup;
mod connect;
mod exec;
mod gather;
mod kubeconfig;
mod pods;
mod session;
mod survey;

pub(crate) use call::CallError;
pub(crate) use cleanup::{Leftover, find_leftovers, find_leftovers_in, remove};
pub(crate) use connect::{Cluster, connect};
pub(crate) use exec::{exec_plan, pod_log};
pub(crate) use gather::{endpoint_count, foreign_policies, gather, may, read_agent_pods, read_dns_and_api, service_of};
pub(crate) use pods::{PodReport, PodState, WaitPods, ready_pods, wait_pods};
pub(crate) use session::{Closing, Session, heartbeat};
pub(crate) use survey::survey;
