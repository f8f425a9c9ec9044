//! A running capture in any mode.

/// What each mode's `start` returns.
pub(super) trait RunningCapture: Send {
    /// Ends the capture, and counts and analyses the packets that came before.
    ///
    /// # Errors
    ///
    /// The last packets cannot be accounted for.
    fn stop(self: Box<Self>) -> anyhow::Result<()>;
}
