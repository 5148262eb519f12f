//! The physical limit beside which `benchmarks.forward` puts the server: a bare loop of header rewrite, AES-128-GCM seal and
//! batched send with GSO, of the same packets to the same number of sockets, paced as a lesson is.
//!
//! `cargo run --release -p zhuandi-net --example limit -- RECEIVERS SECONDS` prints one line of JSON.
#![allow(
    unsafe_code,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a measuring program, no part of the server: it may stop with a message, and it needs clocks and sockets"
)]

use std::mem::{size_of, zeroed};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

/// RTP header with the extensions that a browser's slot gets (transport-wide number, mid).
const HEADER: usize = 24;
const TAG: usize = 16;
const VIDEO_PAYLOAD: usize = 1150;
const AUDIO_PAYLOAD: usize = 80;
/// Packets of three successive frames: 1 Mbit/s at 25 fps.
const FRAMES: [usize; 3] = [4, 4, 5];
const TICK: Duration = Duration::from_millis(20);
const MESSAGES: usize = 64;
const UDP_SEGMENT: libc::c_int = 103;

/// One leg: where to, its key and its own numbers.
struct Leg {
    to: libc::sockaddr_in,
    key: LessSafeKey,
    ssrc: u32,
    sequence: u16,
    sealed: u64,
}

/// Datagrams of equal size to one leg.
struct Run {
    leg: usize,
    start: usize,
    len: usize,
    segment: usize,
}

#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control([u8; 24]);

fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .map(|word| word.parse().expect("a number"));
    let receivers: usize = arguments.next().unwrap_or(200);
    let seconds: u64 = arguments.next().unwrap_or(10) as u64;
    let sockets: Vec<UdpSocket> = (0..receivers)
        .map(|_| UdpSocket::bind("127.0.0.1:0").expect("a receiving socket"))
        .collect();
    let mut legs: Vec<Leg> = sockets.iter().enumerate().map(new_leg).collect();
    let stop = Arc::new(AtomicBool::new(false));
    let arrived = Arc::new(AtomicU64::new(0));
    let drain = drain_all(sockets, Arc::clone(&stop), Arc::clone(&arrived));

    let (sent, cpu) = send_lesson(&mut legs, Duration::from_secs(seconds));
    thread::sleep(Duration::from_millis(200));
    stop.store(true, Ordering::Relaxed);
    drain.join().expect("the draining thread");
    let arrived = arrived.load(Ordering::Relaxed);
    let each = cpu.as_secs_f64() * 1e6 / sent as f64;
    println!(
        "{{\"receivers\": {receivers}, \"packets\": {sent}, \"arrived\": {arrived}, \"cpu_us_per_packet\": {each:.4}}}"
    );
}

fn new_leg((number, socket): (usize, &UdpSocket)) -> Leg {
    let SocketAddr::V4(address) = socket.local_addr().expect("a bound socket") else {
        unreachable!("bound to IPv4")
    };
    // SAFETY: all-zero bytes are a valid address structure.
    let mut to: libc::sockaddr_in = unsafe { zeroed() };
    to.sin_family = libc::AF_INET as libc::sa_family_t;
    to.sin_port = address.port().to_be();
    to.sin_addr.s_addr = u32::from(*address.ip()).to_be();
    let key = UnboundKey::new(&AES_128_GCM, &[number as u8; 16]).expect("a key of 16 bytes");
    Leg {
        to,
        key: LessSafeKey::new(key),
        ssrc: number as u32,
        sequence: 0,
        sealed: 0,
    }
}

/// Receives everything on a thread of its own, so that no queue fills.
fn drain_all(
    sockets: Vec<UdpSocket>,
    stop: Arc<AtomicBool>,
    arrived: Arc<AtomicU64>,
) -> thread::JoinHandle<()> {
    for socket in &sockets {
        socket.set_nonblocking(true).expect("non-blocking");
    }
    thread::spawn(move || {
        let mut packet = [0; 2048];
        while !stop.load(Ordering::Relaxed) {
            for socket in &sockets {
                while socket.recv(&mut packet).is_ok() {
                    arrived.fetch_add(1, Ordering::Relaxed);
                }
            }
            thread::sleep(Duration::from_millis(5));
        }
    })
}

/// Sends for `length` at a lesson's pace; packets, and the processor time of this thread.
fn send_lesson(legs: &mut [Leg], length: Duration) -> (u64, Duration) {
    let sender = UdpSocket::bind("127.0.0.1:0").expect("a sending socket");
    let payload = [0x5a; VIDEO_PAYLOAD];
    let (mut buffer, mut runs) = (Vec::new(), Vec::new());
    let (mut packets, mut tick) = (0, 0);
    let began = Instant::now();
    let cpu = thread_cpu();
    while TICK * tick < length {
        thread::sleep((TICK * tick).saturating_sub(began.elapsed()));
        let frame = if tick % 2 == 0 {
            FRAMES[tick as usize / 2 % FRAMES.len()]
        } else {
            0
        };
        buffer.clear();
        runs.clear();
        for (number, leg) in legs.iter_mut().enumerate() {
            for (count, size) in [(1, AUDIO_PAYLOAD), (frame, VIDEO_PAYLOAD)] {
                if count == 0 {
                    continue;
                }
                let start = buffer.len();
                for _ in 0..count {
                    leg.seal(&mut buffer, &payload[..size]);
                }
                runs.push(Run {
                    leg: number,
                    start,
                    len: buffer.len() - start,
                    segment: HEADER + size + TAG,
                });
                packets += count as u64;
            }
        }
        for batch in runs.chunks(MESSAGES) {
            send(&sender, legs, &buffer, batch);
        }
        tick += 1;
    }
    (packets, thread_cpu() - cpu)
}

impl Leg {
    /// Appends one protected packet: header of this leg, payload, tag (RFC 7714).
    fn seal(&mut self, buffer: &mut Vec<u8>, payload: &[u8]) {
        let start = buffer.len();
        let mut header = [0; HEADER];
        header[0] = 0x90;
        header[1] = 96;
        header[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        header[8..12].copy_from_slice(&self.ssrc.to_be_bytes());
        header[12..16].copy_from_slice(&[0xbe, 0xde, 0, 2]);
        header[17..19].copy_from_slice(&self.sequence.to_be_bytes());
        self.sequence = self.sequence.wrapping_add(1);
        buffer.extend_from_slice(&header);
        buffer.extend_from_slice(payload);
        let mut nonce = [0; 12];
        nonce[4..].copy_from_slice(&self.sealed.to_be_bytes());
        self.sealed += 1;
        let tag = self
            .key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(header),
                &mut buffer[start + HEADER..],
            )
            .expect("a short packet");
        buffer.extend_from_slice(tag.as_ref());
    }
}

/// One sendmmsg with UDP_SEGMENT on each message.
fn send(sender: &UdpSocket, legs: &mut [Leg], buffer: &[u8], runs: &[Run]) {
    let mut vectors: Vec<libc::iovec> = runs
        .iter()
        .map(|run| libc::iovec {
            iov_base: buffer[run.start..run.start + run.len]
                .as_ptr()
                .cast_mut()
                .cast(),
            iov_len: run.len,
        })
        .collect();
    let mut controls: Vec<Control> = runs
        .iter()
        .map(|run| segment_control(run.segment))
        .collect();
    let mut headers: Vec<libc::mmsghdr> = Vec::with_capacity(runs.len());
    for ((run, vector), control) in runs.iter().zip(&mut vectors).zip(&mut controls) {
        // SAFETY: all-zero bytes are a valid message header.
        let mut header: libc::mmsghdr = unsafe { zeroed() };
        header.msg_hdr.msg_name = (&raw mut legs[run.leg].to).cast();
        header.msg_hdr.msg_namelen = size_of::<libc::sockaddr_in>() as libc::socklen_t;
        header.msg_hdr.msg_iov = vector;
        header.msg_hdr.msg_iovlen = 1;
        if run.len > run.segment {
            header.msg_hdr.msg_control = (&raw mut control.0).cast();
            header.msg_hdr.msg_controllen = size_of::<Control>();
        }
        headers.push(header);
    }
    let mut done = 0;
    while done < headers.len() {
        let rest = &mut headers[done..];
        // SAFETY: every header points to live buffers of this function and its arguments.
        let sent = unsafe {
            libc::sendmmsg(
                sender.as_raw_fd(),
                rest.as_mut_ptr(),
                rest.len() as libc::c_uint,
                0,
            )
        };
        assert!(sent > 0, "{}", std::io::Error::last_os_error());
        done += sent as usize;
    }
}

/// The control message that asks for segments of this size (udp(7)).
fn segment_control(segment: usize) -> Control {
    let mut bytes = [0; 24];
    // SAFETY: CMSG_LEN only computes.
    let length = unsafe { libc::CMSG_LEN(2) } as u64;
    bytes[0..8].copy_from_slice(&length.to_ne_bytes());
    bytes[8..12].copy_from_slice(&libc::SOL_UDP.to_ne_bytes());
    bytes[12..16].copy_from_slice(&UDP_SEGMENT.to_ne_bytes());
    bytes[16..18].copy_from_slice(&(segment as u16).to_ne_bytes());
    Control(bytes)
}

/// User and system time of the calling thread.
fn thread_cpu() -> Duration {
    // SAFETY: all-zero bytes are a valid time.
    let mut time: libc::timespec = unsafe { zeroed() };
    // SAFETY: a valid pointer for the length of the call.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
