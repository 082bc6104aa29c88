//! The policy simulator and its cases, without a cluster. Each rule of the API has a row in `rules_*`; `agreement` holds the simulator against
//! the second opinion in `second` on generated worlds; `properties` are what must hold of any input; `speed` is asked for by name
//! (`cargo test --release --test kubectl_cni_netpol -- --ignored --nocapture`); `suites` are about the cases. A test run in full asks
//! for `NETPOL_WORLDS=100000`.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../support/golden.rs"]
mod golden;

mod agreement;
mod dice;
mod properties;
mod rules;
mod rules_cluster;
mod rules_open;
mod second;
mod sentences;
mod speed;
mod suites;

mod worlds;
