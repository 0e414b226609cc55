use super::{from_s16, to_s16};

/// How a sample is written in bytes, the lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// 16 bits, signed.
    S16,
    /// 32 bits, IEEE 754, full scale is 1.
    F32,
}

impl Encoding {
    /// Bytes of a sample.
    pub fn bytes(self) -> usize {
        match self {
            Encoding::S16 => 2,
            Encoding::F32 => 4,
        }
    }
}

/// Reads samples from bytes that come in pieces of any length, also such that end within a sample.
#[derive(Debug)]
pub struct SampleReader {
    encoding: Encoding,
    /// The beginning of a sample.
    carry: [u8; 4],
    carried: usize,
}

impl SampleReader {
    /// At the beginning of a sample.
    pub fn new(encoding: Encoding) -> Self {
        Self { encoding, carry: [0; 4], carried: 0 }
    }

    /// How many bytes may be read for `samples` more of them.
    pub fn bytes_for(&self, samples: usize) -> usize {
        (samples * self.encoding.bytes()).saturating_sub(self.carried)
    }

    /// Takes all of `bytes` and gives each whole sample to `each`.
    pub fn read(&mut self, mut bytes: &[u8], mut each: impl FnMut(f32)) {
        let size = self.encoding.bytes();
        while self.carried > 0 && !bytes.is_empty() {
            self.carry[self.carried] = bytes[0];
            bytes = &bytes[1..];
            self.carried = (self.carried + 1) % size;
            if self.carried == 0 {
                each(decode(self.encoding, &self.carry[..size]));
            }
        }
        let whole = bytes.chunks_exact(size);
        let rest = whole.remainder();
        whole.for_each(|sample| each(decode(self.encoding, sample)));
        if !rest.is_empty() {
            self.carry[..rest.len()].copy_from_slice(rest);
            self.carried = rest.len();
        }
    }

    /// Forgets the beginning of a sample.
    pub fn reset(&mut self) {
        self.carried = 0;
    }
}

fn decode(encoding: Encoding, bytes: &[u8]) -> f32 {
    match (encoding, bytes) {
        (Encoding::S16, &[low, high]) => from_s16(i16::from_le_bytes([low, high])),
        // What is no number would stay in filters for ever.
        (Encoding::F32, &[a, b, c, d]) => {
            Some(f32::from_le_bytes([a, b, c, d])).filter(|s| s.is_finite()).unwrap_or(0.0)
        }
        _ => unreachable!("callers cut by the encoding's size"),
    }
}

/// Appends samples as bytes.
pub fn encode(encoding: Encoding, samples: impl Iterator<Item = f32>, bytes: &mut Vec<u8>) {
    match encoding {
        Encoding::S16 => samples.for_each(|sample| bytes.extend(to_s16(sample).to_le_bytes())),
        Encoding::F32 => samples.for_each(|sample| bytes.extend(sample.to_le_bytes())),
    }
}
