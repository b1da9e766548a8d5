//! A datagram in a buffer with room on both sides, so that headers come and go in place.

/// The bytes of a datagram within a larger buffer.
///
/// ```text
///  0            start             end            buffer.len()
///  | head-room    | payload ...     | tail-room    |
/// ```
#[derive(Debug)]
pub struct Packet<'a> {
    buffer: &'a mut [u8],
    start: usize,
    end: usize,
}

impl<'a> Packet<'a> {
    /// Room in front of a received datagram: the header of a Data indication with an IPv6 peer.
    pub const HEAD_ROOM: usize = 48;
    /// Room behind it: padding to four bytes.
    pub const TAIL_ROOM: usize = 4;

    /// The datagram at `start..end` of `buffer`.
    ///
    /// # Panics
    /// If the range lies outside the buffer: the driver cut its own arena wrongly.
    pub fn new(buffer: &'a mut [u8], start: usize, end: usize) -> Self {
        assert!(start <= end && end <= buffer.len(), "invariant: a packet lies within its buffer");
        Self { buffer, start, end }
    }

    /// The datagram as it stands now.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Where it stands in the buffer.
    pub const fn range(&self) -> std::ops::Range<usize> {
        self.start..self.end
    }

    /// Keeps `length` bytes from `offset` on.
    ///
    /// # Panics
    /// If there are fewer: the caller has proved that they are there.
    pub(super) fn narrow(&mut self, offset: usize, length: usize) {
        assert!(offset + length <= self.end - self.start, "invariant: a view lies within its packet");
        self.start += offset;
        self.end = self.start + length;
    }

    /// Grows to the front by `length` bytes and hands them out; `None` without that much room.
    pub(super) fn prepend(&mut self, length: usize) -> Option<&mut [u8]> {
        self.start = self.start.checked_sub(length)?;
        Some(&mut self.buffer[self.start..self.start + length])
    }

    /// Appends zeros until the length is a multiple of four; `None` without room.
    pub(in crate::proto) fn pad(&mut self) -> Option<()> {
        let padding = (self.end - self.start).next_multiple_of(4) - (self.end - self.start);
        self.buffer.get_mut(self.end..self.end + padding)?.fill(0);
        self.end += padding;
        Some(())
    }
}
