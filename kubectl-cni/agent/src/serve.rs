//! The server: TCP and UDP echo on many ports, HTTP for the kubelet's probes, and a line for each client first seen.

mod connection;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::Options;
use crate::out::{Out, append};
use crate::sys::{self, Event, Fd, Transport};
use connection::{Connection, PIECE, Taken};
use wire::exchange::{MAX_HEADER, Response, parse_request};
use wire::text::{Sink, Text, address, number};
use wire::{Line, MIN_UDP_REPLY, Protocol};

/// Epoll data of the termination descriptor.
const TERMINATION: u64 = u64::MAX;
/// Connections kept at the most; beyond, the one that has been silent longest makes room.
const MOST: usize = 4096;
/// Clients remembered, and so lines printed, at the most.
const SEEN: usize = 8192;
/// Bytes of log waiting for a slow reader before lines are dropped, and counted.
const FULL: usize = 256 << 10;
/// How often a slow reader is looked at, in milliseconds.
const RETRY: i32 = 20;
const SECOND: u64 = 1_000_000_000;

enum Slot {
    Free,
    Tcp(Fd),
    Udp(Fd),
    Connection(Box<Connection>),
}

struct Server<'a> {
    name: &'a str,
    epoll: Fd,
    slots: Vec<Slot>,
    generations: Vec<u32>,
    free: Vec<usize>,
    connections: usize,
    most: usize,
    /// Sorted.
    seen: Vec<(bool, Box<str>)>,
    /// Lines that were not printed.
    dropped: u64,
    out: &'a mut Out,
    buffer: Vec<u8>,
    /// Accepting is paused since descriptors ran out.
    paused: bool,
}

/// Serves until told to stop; the result is the exit status.
pub fn run(options: &Options<'_>, termination: &Fd, out: &mut Out) -> i32 {
    let Ok(epoll) = sys::epoll() else { return 1 };
    let limit = sys::raise_file_limit();
    let mut server = Server {
        name: options.name,
        epoll,
        slots: Vec::new(),
        generations: Vec::new(),
        free: Vec::new(),
        connections: 0,
        most: MOST.min(limit.saturating_sub(64)).max(4),
        seen: Vec::new(),
        dropped: 0,
        out,
        buffer: alloc::vec![0; 64 << 10],
        paused: false,
    };
    let _ = sys::watch(&server.epoll, termination, sys::READABLE, TERMINATION);
    server.out.line(&Line::Serve { name: options.name });
    for (transport, ports) in [(Transport::Tcp, &options.tcp), (Transport::Udp, &options.udp)] {
        for port in ports {
            server.open(transport, *port);
        }
    }
    let status = server.serve(options);
    server.report_dropped();
    status
}

impl Server<'_> {
    #[inline(never)]
    fn open(&mut self, transport: Transport, port: u16) {
        for ip in [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)] {
            let word = if transport == Transport::Tcp { Protocol::Tcp } else { Protocol::Udp };
            match listener(SocketAddr::new(ip, port), transport) {
                Ok(fd) => {
                    let slot = if transport == Transport::Tcp { Slot::Tcp(fd) } else { Slot::Udp(fd) };
                    self.put(slot);
                }
                // Nodes without IPv6 are common: worth a comment, no reason to stop.
                Err(errno) => self.out.line(&Closed { protocol: word, ip, port, errno }),
            }
        }
    }

    #[inline(never)]
    fn put(&mut self, slot: Slot) -> Option<usize> {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::Free);
            self.generations.push(0);
            self.slots.len() - 1
        });
        let data = u64::from(self.generations[index]) << 32 | index as u64;
        let watched = match &slot {
            Slot::Tcp(fd) | Slot::Udp(fd) => sys::watch(&self.epoll, fd, sys::READABLE, data),
            Slot::Connection(connection) => sys::watch(&self.epoll, &connection.fd, sys::READABLE, data),
            Slot::Free => Ok(()),
        };
        if watched.is_err() {
            self.free.push(index);
            return None;
        }
        self.slots[index] = slot;
        Some(index)
    }

    fn close(&mut self, index: usize) {
        if matches!(self.slots[index], Slot::Connection(_)) {
            self.connections -= 1;
        }
        self.slots[index] = Slot::Free;
        self.generations[index] = self.generations[index].wrapping_add(1);
        self.free.push(index);
    }

    fn serve(&mut self, options: &Options<'_>) -> i32 {
        let mut events = alloc::vec![Event::default(); 256];
        let mut next_sweep = sys::now() + SECOND;
        let mut serving = true;
        loop {
            let expires = options.until != 0 && serving;
            self.out.flush();
            let ms = if self.out.waiting() > 0 {
                RETRY
            } else if self.dropped > 0 {
                self.report_dropped();
                0
            } else if self.connections > 0 || self.paused || expires {
                1_000
            } else {
                -1
            };
            let Ok(count) = sys::wait(&self.epoll, &mut events, ms) else { return 1 };
            for event in &events[..count] {
                let (data, flags) = (event.data, event.flags);
                if data == TERMINATION {
                    return 0;
                }
                let index = data as u32 as usize;
                if self.generations.get(index).is_some_and(|generation| *generation == (data >> 32) as u32) {
                    self.event(index, flags);
                }
            }
            let now = sys::now();
            if now >= next_sweep {
                next_sweep = now + SECOND;
                self.sweep(now, options.idle);
                if expires && sys::unix_seconds() >= options.until {
                    // The time is over: every socket is closed and the process sleeps until it is told to go.
                    for index in 0..self.slots.len() {
                        if !matches!(self.slots[index], Slot::Free) {
                            self.close(index);
                        }
                    }
                    serving = false;
                    self.paused = false;
                    self.out.line(&Line::Comment(" time is over: closed"));
                }
            }
        }
    }

    fn event(&mut self, index: usize, flags: u32) {
        match &self.slots[index] {
            Slot::Tcp(_) => self.accept(index),
            Slot::Udp(_) => self.datagrams(index),
            Slot::Connection(_) => {
                if !self.connection(index, flags) {
                    self.close(index);
                }
            }
            Slot::Free => {}
        }
    }

    #[inline(never)]
    fn accept(&mut self, index: usize) {
        for _ in 0..64 {
            let Slot::Tcp(fd) = &self.slots[index] else { return };
            match sys::accept(fd) {
                Ok((fd, peer)) => {
                    if self.connections >= self.most {
                        self.evict();
                    }
                    let _ = sys::no_delay(&fd);
                    let connection = Connection {
                        fd,
                        peer: peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip()),
                        header: Vec::new(),
                        left: None,
                        pending: Vec::new(),
                        sent: 0,
                        closing: false,
                        watching: sys::READABLE,
                        last: sys::now(),
                    };
                    if self.put(Slot::Connection(Box::new(connection))).is_some() {
                        self.connections += 1;
                    }
                }
                Err(sys::EMFILE | sys::ENFILE) if self.connections > 0 => self.evict(),
                Err(sys::EMFILE | sys::ENFILE) => return self.pause(true),
                Err(_) => return,
            }
        }
    }

    /// Closes the connection that has been silent longest.
    fn evict(&mut self) {
        let oldest = self.slots.iter().enumerate().filter_map(|(index, slot)| match slot {
            Slot::Connection(connection) => Some((connection.last, index)),
            _ => None,
        });
        if let Some((_, index)) = oldest.min() {
            self.close(index);
        }
    }

    /// Stops or resumes watching the listeners: a full descriptor table would wake the loop for ever.
    fn pause(&mut self, paused: bool) {
        self.paused = paused;
        for (index, slot) in self.slots.iter().enumerate() {
            if let Slot::Tcp(fd) = slot {
                let data = u64::from(self.generations[index]) << 32 | index as u64;
                let _ = sys::rewatch(&self.epoll, fd, if paused { 0 } else { sys::READABLE }, data);
            }
        }
    }

    #[inline(never)]
    fn sweep(&mut self, now: u64, idle: u64) {
        for index in 0..self.slots.len() {
            if let Slot::Connection(connection) = &self.slots[index]
                && now.saturating_sub(connection.last) > idle * SECOND
            {
                self.close(index);
            }
        }
        if self.paused {
            self.pause(false);
        }
    }

    #[inline(never)]
    fn datagrams(&mut self, index: usize) {
        for _ in 0..64 {
            let Slot::Udp(fd) = &self.slots[index] else { return };
            let Ok(datagram) = sys::recv_datagram(fd, &mut self.buffer) else { return };
            let bytes = &self.buffer[..datagram.length];
            let Some(end) = bytes.iter().take(MAX_HEADER).position(|byte| *byte == b'\n') else { continue };
            let Ok(request) = parse_request(&bytes[..end]) else { continue };
            if request.protocol != Protocol::Udp {
                continue;
            }
            let source = datagram.from.ip();
            let received = datagram.length as u32;
            let response =
                Response { protocol: Protocol::Udp, number: request.number, received, name: self.name, source };
            let mut answer = Vec::new();
            append(&mut answer, &response);
            answer.push(b'\n');
            // Never more than came in (or a small header's worth): no use to anybody who forges a source address.
            let length = (request.reply.min(received.max(MIN_UDP_REPLY)) as usize).max(answer.len());
            answer.resize(length, b'.');
            let _ = sys::send_datagram(fd, &answer, &datagram.from, datagram.to);
            let name = Box::from(request.name);
            self.see(Protocol::Udp, name);
        }
    }

    /// Prints a client that is new. Where the reader of the log is too slow the line is dropped, and the client stays new.
    #[inline(never)]
    fn see(&mut self, protocol: Protocol, name: Box<str>) {
        let key = (protocol == Protocol::Udp, name);
        let Err(place) = self.seen.binary_search(&key) else { return };
        if self.seen.len() >= SEEN {
            return;
        }
        if self.out.waiting() > FULL {
            self.dropped += 1;
            return;
        }
        self.out.line(&Line::Seen { protocol, name: &key.1 });
        self.seen.insert(place, key);
        if self.seen.len() == SEEN {
            self.out.line(&Line::Comment(" no more clients are printed"));
        }
    }

    fn report_dropped(&mut self) {
        if self.dropped > 0 {
            self.out.line(&Dropped(self.dropped));
            self.dropped = 0;
        }
    }

    /// False when the connection is over.
    #[inline(never)]
    fn connection(&mut self, index: usize, flags: u32) -> bool {
        let mut seen = None;
        let data = u64::from(self.generations[index]) << 32 | index as u64;
        let Slot::Connection(connection) = &mut self.slots[index] else { return false };
        connection.last = sys::now();
        if flags & sys::WRITABLE != 0 && !connection.flush() {
            return false;
        }
        if flags & !sys::WRITABLE != 0 {
            for _ in 0..16 {
                if !connection.flush() {
                    return false;
                }
                if connection.waiting() {
                    break;
                }
                match sys::recv(&connection.fd, &mut self.buffer[..PIECE]) {
                    Ok(0) => return false,
                    Ok(count) => match connection.take(&self.buffer[..count], self.name) {
                        Taken::More => {}
                        Taken::Client(name) => seen = Some(name),
                        Taken::Broken => return false,
                    },
                    Err(sys::EAGAIN | sys::EINTR) => break,
                    Err(_) => return false,
                }
            }
            if !connection.flush() {
                return false;
            }
        }
        let waiting = connection.waiting();
        if connection.closing && !waiting {
            return false;
        }
        let wanted = if waiting { sys::WRITABLE } else { sys::READABLE };
        if wanted != connection.watching {
            connection.watching = wanted;
            let _ = sys::rewatch(&self.epoll, &connection.fd, wanted, data);
        }
        if let Some(name) = seen {
            self.see(Protocol::Tcp, name);
        }
        true
    }
}

/// A comment on a port that cannot be opened.
struct Closed {
    protocol: Protocol,
    ip: IpAddr,
    port: u16,
    errno: sys::Errno,
}

impl Text for Closed {
    fn write(&self, out: &mut Sink<'_>) {
        out("# cannot open ");
        out(self.protocol.word());
        out(" ");
        address(out, &self.ip);
        out(" port ");
        number(out, u64::from(self.port));
        out(": errno ");
        number(out, u64::from(self.errno));
    }
}

/// A comment on lines that a slow reader missed.
struct Dropped(u64);

impl Text for Dropped {
    fn write(&self, out: &mut Sink<'_>) {
        out("# ");
        number(out, self.0);
        out(" clients not printed: the log is read too slowly");
    }
}

fn listener(at: SocketAddr, transport: Transport) -> sys::Result<Fd> {
    let fd = sys::socket(at.is_ipv6(), transport)?;
    if at.is_ipv6() {
        sys::v6_only(&fd)?;
    }
    if transport == Transport::Tcp {
        sys::reuse_address(&fd)?;
    } else {
        let _ = sys::packet_info(&fd, at.is_ipv6());
    }
    sys::bind(&fd, &at)?;
    if transport == Transport::Tcp {
        sys::listen(&fd, 4096)?;
    }
    Ok(fd)
}
