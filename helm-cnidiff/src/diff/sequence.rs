//! Two sequences in, the shortest way from one to the other out.
//!
//! One algorithm on one type: `similar`'s convenient functions bring all five of theirs, for every type that they are
//! used on, which is more code than the rest of this program's comparing.

use std::collections::HashMap;
use std::hash::Hash;

use similar::DiffOp;
use similar::algorithms::{Capture, Compact, Replace, myers};

/// Compares items by equality (Myers).
pub fn diff<T: Eq + Hash>(old: &[T], new: &[T]) -> Vec<DiffOp> {
    let mut numbers: HashMap<&T, u32> = HashMap::new();
    let mut number = |item| {
        let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        *numbers.entry(item).or_insert(next)
    };
    let old: Vec<u32> = old.iter().map(&mut number).collect();
    let new: Vec<u32> = new.iter().map(&mut number).collect();
    of_numbers(&old, &new)
}

fn of_numbers(old: &[u32], new: &[u32]) -> Vec<DiffOp> {
    let mut ops = Compact::new(Replace::new(Capture::new()), old, new);
    let Ok(()) = myers::diff(&mut ops, old, 0..old.len(), new, 0..new.len());
    ops.into_inner().into_inner().into_ops()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_common_stays() {
        let ops = diff(&["a", "b", "c", "d"], &["a", "x", "c", "d", "e"]);
        let kept: usize = ops.iter().map(|op| if let DiffOp::Equal { len, .. } = op { *len } else { 0 }).sum();
        assert_eq!(kept, 3);
        assert_eq!(ops.len(), 4, "{ops:?}");
        assert!(diff::<u8>(&[], &[]).is_empty());
    }
}
