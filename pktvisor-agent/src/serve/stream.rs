//! A connection that does not wait for ever.
//!
//! A client holds one of a bounded number of places. It may keep it while idle between requests, while it sends a
//! request's header, and while it takes the answer, each for a limited time; then the connection ends.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

use super::limits::Limits;

const IDLE: u8 = 0;
const RECEIVING: u8 = 1;
const ANSWERING: u8 = 2;
const ANSWERED: u8 = 3;

/// Where in its exchange a connection is; shared between its stream and its service.
#[derive(Clone, Default)]
pub(super) struct Phase(Arc<AtomicU8>);

impl Phase {
    /// A whole request has arrived.
    pub(super) fn request_received(&self) {
        self.0.store(ANSWERING, Ordering::Relaxed);
    }

    /// Its answer is made; it remains to be sent.
    pub(super) fn answer_made(&self) {
        self.0.store(ANSWERED, Ordering::Relaxed);
    }
}

/// A TCP stream whose reads and writes fail once the phase of the exchange has lasted too long.
pub(super) struct TimedStream {
    inner: TcpStream,
    limits: Limits,
    phase: Phase,
    /// The phase that `deadline` was set for.
    timed: u8,
    deadline: Pin<Box<Sleep>>,
}

impl TimedStream {
    pub(super) fn new(inner: TcpStream, limits: Limits, phase: Phase) -> Self {
        // Nothing received yet: a new connection has no more time to begin than a header has to arrive.
        Self { inner, limits, phase, timed: IDLE, deadline: Box::pin(sleep(limits.header)) }
    }

    /// Moves the deadline when the phase has changed, and fails when it has passed.
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let phase = self.phase.0.load(Ordering::Relaxed);
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
    fn advance(&mut self, cx: &mut Context<'_>, from: u8, to: u8) -> io::Result<()> {
        match self.phase.0.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => self.check(cx),
            Err(_other) => Ok(()),
        }
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
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.inner).poll_write_vectored(cx, slices)
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
