//! A comparison as GitLab-flavoured Markdown. What differs from GitHub's is in [`super::markdown`], beside its like.

use super::markdown::{Flavour, Markdown};
use super::ticket::{TicketStyle, ticket};
use crate::comparison::Comparison;

/// The comparison as a Markdown document for a GitLab issue or merge request.
pub fn gitlab(comparison: &Comparison, style: &TicketStyle) -> String {
    ticket(comparison, style, &Markdown { flavour: Flavour::GitLab })
}
