//! Lines to a descriptor, written in large pieces.

use alloc::vec::Vec;
use core::fmt::{self, Write};

use crate::sys::{self, Fd};

/// Bytes gathered before they are written.
const FULL: usize = 32 << 10;

/// A buffered writer. In probe mode it blocks, since a result must not be lost.
pub struct Out {
    bytes: Vec<u8>,
    fd: Fd,
}

impl Out {
    pub fn stdout() -> Out {
        Out { bytes: Vec::new(), fd: sys::STDOUT }
    }

    pub fn stderr() -> Out {
        Out { bytes: Vec::new(), fd: sys::STDERR }
    }

    /// One line.
    pub fn line(&mut self, line: impl fmt::Display) {
        let _ = writeln!(self, "{line}");
        if self.bytes.len() >= FULL {
            self.flush();
        }
    }

    /// Writes what is there. A reader that has gone ends the program: nobody is left to answer to.
    pub fn flush(&mut self) {
        let mut rest = &self.bytes[..];
        while !rest.is_empty() {
            match sys::write(&self.fd, rest) {
                Ok(count) => rest = &rest[count..],
                Err(sys::EINTR) => {}
                Err(sys::EPIPE) => sys::exit(1),
                Err(_) => break,
            }
        }
        self.bytes.clear();
    }
}

impl Write for Out {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.bytes.extend_from_slice(text.as_bytes());
        Ok(())
    }
}
