//! A connection that does not wait for ever.
//!
//! A client holds one of a bounded number of places. It may keep it while idle between requests, while it sends a
//! request's header, and while it takes the answer, each for a limited time; then the connection ends. Where places run out,
//! the server ends it [earlier](super::connections).
//!
//! hyper refuses a request that it cannot parse without a body; the stream puts the sentence there.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

use super::limits::Limits;
use super::refusal;

const IDLE: u64 = 0;
const RECEIVING: u64 = 1;
const ANSWERING: u64 = 2;
const ANSWERED: u64 = 3;
/// Above the bits of a phase: since when, in milliseconds since the process began to serve.
const SINCE_SHIFT: u32 = 2;
const PHASE: u64 = (1 << SINCE_SHIFT) - 1;

/// How long a client that takes its answer may take for it where another one has no place.
const UNHURRIED_MS: u64 = 1000;

/// Where in its exchange a connection is, and since when; shared between its stream, its service and the server.
#[derive(Clone)]
pub(super) struct Phase(Arc<AtomicU64>);

impl Default for Phase {
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(begun(IDLE))))
    }
}

/// A phase that begins now.
fn begun(phase: u64) -> u64 {
    (now_ms() << SINCE_SHIFT) | phase
}

/// Milliseconds since this was first asked.
pub(super) fn now_ms() -> u64 {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    u64::try_from(BEGAN.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(u64::MAX >> SINCE_SHIFT)
}

impl Phase {
    /// A whole request has arrived.
    pub(super) fn request_received(&self) {
        self.0.store(begun(ANSWERING), Ordering::Relaxed);
    }

    /// Its answer is made; it remains to be sent.
    pub(super) fn answer_made(&self) {
        self.0.store(begun(ANSWERED), Ordering::Relaxed);
    }

    /// Since when (as [`now_ms`] tells) nobody waits for the server: the client is idle, has sent a part of a request, or has
    /// not taken its answer for a while.
    pub(super) fn idle_since_ms(&self) -> Option<u64> {
        let value = self.0.load(Ordering::Relaxed);
        let since_ms = value >> SINCE_SHIFT;
        match value & PHASE {
            ANSWERING => None,
            ANSWERED if now_ms().saturating_sub(since_ms) < UNHURRIED_MS => None,
            _ => Some(since_ms),
        }
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed) & PHASE
    }

    /// Goes from one phase to another, whose time begins now; false in any other phase.
    fn advance(&self, from: u64, to: u64) -> bool {
        let value = self.0.load(Ordering::Relaxed);
        value & PHASE == from
            && self.0.compare_exchange(value, begun(to), Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// A TCP stream whose reads and writes fail once the phase of the exchange has lasted too long.
pub(super) struct TimedStream {
    inner: TcpStream,
    limits: Limits,
    phase: Phase,
    /// The phase that `deadline` was set for.
    timed: u64,
    deadline: Pin<Box<Sleep>>,
    /// What is sent in place of a refusal without a body, and how much of it has been sent.
    refusal: Option<(Vec<u8>, usize)>,
}

impl TimedStream {
    pub(super) fn new(inner: TcpStream, limits: Limits, phase: Phase) -> Self {
        // Nothing received yet: a new connection has no more time to begin than a header has to arrive.
        Self { inner, limits, phase, timed: IDLE, deadline: Box::pin(sleep(limits.header)), refusal: None }
    }

    /// Moves the deadline when the phase has changed, and fails when it has passed.
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let phase = self.phase.get();
        let limit = match phase {
            RECEIVING => self.limits.header,
            // The service keeps this time itself, and still has an answer when it is over.
            ANSWERING => return Ok(()),
            ANSWERED => self.limits.request,
            _ => self.limits.idle,
        };
        if phase != self.timed {
            self.timed = phase;
            self.deadline.as_mut().reset(Instant::now() + limit);
        }
        match self.deadline.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(()),
        }
    }

    /// Goes from one phase to another, whose time begins now. In any other phase nothing changes.
    fn advance(&mut self, cx: &mut Context<'_>, from: u64, to: u64) -> io::Result<()> {
        if self.phase.advance(from, to) { self.check(cx) } else { Ok(()) }
    }

    /// Sends a sentence in place of what hyper wrote itself, if it did: `bytes` then count as written.
    fn poll_refusal(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Option<Poll<io::Result<usize>>> {
        // With a service that was asked it would be its answer.
        if self.refusal.is_none() && self.phase.get() <= RECEIVING {
            self.refusal = refusal::in_place_of(bytes).map(|refusal| (refusal, 0));
        }
        let (refusal, sent) = self.refusal.as_mut()?;
        while let Some(rest) = refusal.get(*sent..).filter(|rest| !rest.is_empty()) {
            match Pin::new(&mut self.inner).poll_write(cx, rest) {
                Poll::Ready(Ok(0)) => return Some(Poll::Ready(Err(io::ErrorKind::WriteZero.into()))),
                Poll::Ready(Ok(count)) => *sent += count,
                Poll::Ready(Err(error)) => return Some(Poll::Ready(Err(error))),
                Poll::Pending => return Some(Poll::Pending),
            }
        }
        Some(Poll::Ready(Ok(bytes.len())))
    }
}

impl AsyncRead for TimedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(cx)?;
        ready!(Pin::new(&mut self.inner).poll_read(cx, buffer))?;
        Poll::Ready(self.advance(cx, IDLE, RECEIVING))
    }
}

impl AsyncWrite for TimedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        match self.poll_refusal(cx, bytes) {
            Some(refused) => refused,
            None => Pin::new(&mut self.inner).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        match self.poll_refusal(cx, slices.first().map_or(&[], |slice| slice)) {
            Some(refused) => refused,
            None => Pin::new(&mut self.inner).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        ready!(Pin::new(&mut self.inner).poll_flush(cx))?;
        Poll::Ready(self.advance(cx, ANSWERED, IDLE))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
