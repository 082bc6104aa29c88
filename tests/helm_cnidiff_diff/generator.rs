//! A small seeded generator: the same seed gives the same walk on every machine.

use serde_json::{Map, Value, json};

/// SplitMix64 (Steele, Lea and Flood, 2014).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }

    /// A small tree with the field names that matter to the differ, and some that do not.
    pub(crate) fn tree(&mut self, depth: usize) -> Value {
        const FIELDS: [&str; 26] = [
            "name",
            "key",
            "value",
            "containers",
            "initContainers",
            "env",
            "args",
            "command",
            "ports",
            "volumeMounts",
            "mountPath",
            "containerPort",
            "protocol",
            "tolerations",
            "effect",
            "operator",
            "capabilities",
            "add",
            "limits",
            "cpu",
            "labels",
            "annotations",
            "data",
            "spec",
            "image",
            "x",
        ];
        match self.below(if depth == 0 { 5 } else { 9 }) {
            0 => Value::Null,
            1 => json!(self.below(2) == 0),
            2 => json!(self.below(4)),
            3 => json!(*self.pick(&["a", "b", "--x=1", "--x", "--y=2", "c", "1000m", "1", "a/b:c@sha256:d", ""])),
            4 => json!(*self.pick(&["{\"a\": 1}", "{\"a\": [1, 2]}", "a = 1\n", "one\ntwo\n", "a: 1\nb: 2\n"])),
            5 | 6 => {
                let items = (0..self.below(5)).map(|_| self.tree(depth - 1)).collect();
                Value::Array(items)
            }
            _ => {
                let mut map = Map::new();
                for _ in 0..self.below(5) {
                    map.insert((*self.pick(&FIELDS)).to_owned(), self.tree(depth - 1));
                }
                Value::Object(map)
            }
        }
    }

    /// The tree with a few places changed.
    pub(crate) fn mutate(&mut self, value: &mut Value, left: &mut usize) {
        if *left == 0 {
            return;
        }
        let (here, depth) = (self.below(6) == 0, 2);
        match value {
            Value::Object(map) if !here && !map.is_empty() => {
                let keys: Vec<String> = map.keys().cloned().collect();
                let key = self.pick(&keys).clone();
                match self.below(8) {
                    0 => {
                        map.remove(&key);
                    }
                    1 => {
                        map.insert(format!("{key}2"), self.tree(depth));
                    }
                    _ => self.mutate(&mut map[&key], left),
                }
            }
            Value::Array(items) if !here && !items.is_empty() => match self.below(8) {
                0 => {
                    items.remove(self.below(items.len()));
                }
                1 => {
                    let at = self.below(items.len() + 1);
                    items.insert(at, self.tree(depth));
                }
                2 => self.shuffle(items),
                3 => {
                    let copy = self.pick(items).clone();
                    items.push(copy);
                }
                _ => {
                    let at = self.below(items.len());
                    self.mutate(&mut items[at], left);
                }
            },
            other => *other = self.tree(depth),
        }
        *left -= usize::from(*left > 0);
    }
}
