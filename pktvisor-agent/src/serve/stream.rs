//! A connection with time limits.
//!
//! A client holds one of a bounded number of places. It may keep it while it is idle between
//! requests, while it sends a request's header, and while it takes the answer, each for a limited
//! time. Then the connection ends. If no place is free, the server ends it
//! [earlier](super::connections).
//!
//! hyper refuses a request that it cannot parse with an empty body. The stream adds a sentence.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::limits::Limits;
use super::refusal;
use super::statistics::Statistics;

const IDLE: u64 = 0;
const RECEIVING: u64 = 1;
const ANSWERING: u64 = 2;
const ANSWERED: u64 = 3;
const STREAMING: u64 = 4;
/// Above the bits of a phase: its start, in milliseconds since the process began to serve.
const SINCE_SHIFT: u32 = 3;
const PHASE: u64 = (1 << SINCE_SHIFT) - 1;

/// How long a client may take to read its answer while another client needs the place.
const UNHURRIED_MS: u64 = 1000;

/// The phase of a connection's exchange and its start, shared by its stream, its service and the
/// server.
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

/// Milliseconds since the first call.
pub(super) fn now_ms() -> u64 {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    u64::try_from(BEGAN.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(u64::MAX >> SINCE_SHIFT)
}

impl Phase {
    /// Begins the phase after a whole request has arrived.
    pub(super) fn set_request_received(&self) {
        self.0.store(begun(ANSWERING), Ordering::Relaxed);
    }

    /// Begins the phase in which a finished answer is sent.
    pub(super) fn set_answer_made(&self) {
        self.0.store(begun(ANSWERED), Ordering::Relaxed);
    }

    /// Begins the phase in which an answer is sent as it comes about. The connection ends with it.
    pub(super) fn set_streaming(&self) {
        self.0.store(begun(STREAMING), Ordering::Relaxed);
    }

    /// The time ([`now_ms`]) since which the client has not waited for the server: it is idle, has
    /// sent a part of a request, or has not read its answer for a while. `None` if it waits.
    pub(super) fn idle_since_ms(&self) -> Option<u64> {
        let value = self.0.load(Ordering::Relaxed);
        let since_ms = value >> SINCE_SHIFT;
        match value & PHASE {
            ANSWERING | STREAMING => None,
            ANSWERED if now_ms().saturating_sub(since_ms) < UNHURRIED_MS => None,
            _ => Some(since_ms),
        }
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed) & PHASE
    }

    /// Changes from one phase to another, whose time begins now. Returns false in any other phase.
    fn advance(&self, from: u64, to: u64) -> bool {
        let value = self.0.load(Ordering::Relaxed);
        value & PHASE == from
            && self.0.compare_exchange(value, begun(to), Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// A stream whose reads and writes fail once the phase of the exchange has lasted too long.
pub(super) struct TimedStream<S> {
    inner: S,
    limits: Limits,
    statistics: Arc<Statistics>,
    phase: Phase,
    /// Whether a request has begun.
    has_begun: bool,
    /// Whether the client was too slow.
    is_late: bool,
    /// The phase that `deadline` was set for.
    timed: u64,
    deadline: Pin<Box<Sleep>>,
    /// The refusal that is sent in place of hyper's, and how many bytes of it have been sent.
    refusal: Option<(Vec<u8>, usize)>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> TimedStream<S> {
    pub(super) fn new(inner: S, limits: Limits, statistics: Arc<Statistics>, phase: Phase) -> Self {
        Self {
            inner,
            limits,
            statistics,
            phase,
            has_begun: false,
            is_late: false,
            timed: IDLE,
            // A new connection must begin its request within the time that a header has to arrive.
            deadline: Box::pin(sleep(limits.header)),
            refusal: None,
        }
    }

    /// Moves the deadline when the phase has changed, and fails when it has passed.
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let phase = self.phase.get();
        let limit = match phase {
            RECEIVING => self.limits.header,
            // The service keeps this time itself, because it still sends an answer after it.
            ANSWERING => return Ok(()),
            // Only a client that does not read is late.
            STREAMING => return Ok(()),
            ANSWERED => self.limits.request,
            _ => self.limits.idle,
        };
        if phase != self.timed {
            self.timed = phase;
            self.deadline.as_mut().reset(Instant::now() + limit);
        }
        match self.deadline.as_mut().poll(cx) {
            Poll::Ready(()) => Err(self.time_out()),
            Poll::Pending => Ok(()),
        }
    }

    /// The error of a client that takes too long. To be idle between requests is no fault.
    fn time_out(&mut self) -> io::Error {
        let is_first = !std::mem::replace(&mut self.is_late, true);
        if is_first && (self.phase.get() != IDLE || !self.has_begun) {
            self.statistics.too_slow.record();
        }
        io::ErrorKind::TimedOut.into()
    }

    /// Fails if the client has not read anything of a stream for as long as it may take to read an
    /// answer.
    fn check_written(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if self.phase.get() != STREAMING {
            return written;
        }
        if written.is_ready() {
            self.timed = ANSWERING;
            return written;
        }
        if self.timed != STREAMING {
            self.timed = STREAMING;
            self.deadline.as_mut().reset(Instant::now() + self.limits.request);
        }
        ready!(self.deadline.as_mut().poll(cx));
        Poll::Ready(Err(self.time_out()))
    }

    /// Changes from one phase to another, whose time begins now. In any other phase nothing
    /// changes.
    fn advance(&mut self, cx: &mut Context<'_>, from: u64, to: u64) -> io::Result<()> {
        if self.phase.advance(from, to) { self.check(cx) } else { Ok(()) }
    }

    /// Sends a refusal with a sentence if `bytes` are a refusal by hyper, which then count as
    /// written.
    fn poll_refusal(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Option<Poll<io::Result<usize>>> {
        // After a whole request the bytes are the answer of the service.
        if self.refusal.is_none() && self.phase.get() <= RECEIVING {
            self.refusal = refusal::in_place_of(bytes).map(|refusal| (refusal, 0));
            if self.refusal.is_some() {
                self.statistics.malformed.record();
            }
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

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for TimedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(cx)?;
        ready!(Pin::new(&mut self.inner).poll_read(cx, buffer))?;
        self.has_begun = true;
        Poll::Ready(self.advance(cx, IDLE, RECEIVING))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TimedStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        match self.poll_refusal(cx, bytes) {
            Some(refused) => refused,
            None => {
                let written = Pin::new(&mut self.inner).poll_write(cx, bytes);
                self.check_written(cx, written)
            }
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
            None => {
                let written = Pin::new(&mut self.inner).poll_write_vectored(cx, slices);
                self.check_written(cx, written)
            }
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
