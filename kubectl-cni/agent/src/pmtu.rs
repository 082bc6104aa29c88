//! The search for the largest datagram that arrives: full size first, then a ladder of common sizes, then halving.

use alloc::vec::Vec;

/// IP packet sizes worth trying at once, largest first: links and tunnels people have, then the floors of both families.
const LADDER: [u16; 22] = [
    8951, 8901, 4000, 2000, 1492, 1480, 1472, 1460, 1450, 1442, 1430, 1420, 1410, 1400, 1380, 1350, 1300, 1280, 1200,
    1000, 576, 128,
];

/// Largest IP packet that is ever tried; loopback routes promise 64 KiB, which no network carries.
pub const CAP: u32 = 9216;

/// A search. Sizes are of whole IP packets.
pub struct Search {
    /// What the route promises.
    pub mtu: u32,
    /// Largest that arrived.
    pub largest: u32,
    /// Smallest that is taken as lost.
    lost: u32,
    /// Size under trial while halving.
    trying: u32,
    step: Step,
}

enum Step {
    Full,
    Ladder,
    Halving,
}

impl Search {
    pub fn new(mtu: u32) -> Search {
        Search { mtu, largest: 0, lost: mtu + 1, trying: 0, step: Step::Full }
    }

    /// A packet of this size arrived.
    pub fn arrived(&mut self, size: u32) {
        self.largest = self.largest.max(size);
    }

    /// The promise holds.
    pub fn complete(&self) -> bool {
        self.largest >= self.mtu
    }

    /// The answers of the last step are in: what to send next, or nothing when the search is over. The full size was sent before.
    #[inline(never)]
    pub fn next(&mut self) -> Vec<u32> {
        let mut sizes = Vec::new();
        match self.step {
            Step::Full => {
                self.step = Step::Ladder;
                // The full size once more: one lost packet is no finding.
                sizes.push(self.mtu);
                for size in LADDER {
                    if u32::from(size) < self.mtu {
                        sizes.push(u32::from(size));
                    }
                }
            }
            Step::Ladder if self.largest == 0 => {}
            Step::Ladder => {
                self.step = Step::Halving;
                self.lost = self.mtu;
                for size in LADDER {
                    let size = u32::from(size);
                    if size > self.largest && size < self.lost {
                        self.lost = size;
                    }
                }
                self.halve(&mut sizes);
            }
            Step::Halving => {
                if self.largest < self.trying {
                    self.lost = self.trying;
                }
                self.halve(&mut sizes);
            }
        }
        sizes
    }

    fn halve(&mut self, sizes: &mut Vec<u32>) {
        if self.lost > self.largest + 1 {
            self.trying = self.largest + (self.lost - self.largest) / 2;
            sizes.push(self.trying);
        }
    }
}
