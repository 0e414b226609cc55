//! Records of application data on their way out.

use dimpl::Output;
use tracing::debug;

use super::transport::DtlsTransport;

/// Room for a record's header, nonce and tag in any version and suite.
const RECORD_OVERHEAD: usize = 64;

impl DtlsTransport {
    /// Encrypts one record and appends it to `out`. Returns whether it could.
    pub(crate) fn seal(&mut self, plaintext: &[u8], out: &mut Vec<u8>) -> bool {
        if !self.is_connected() {
            return false;
        }
        let Some(engine) = &mut self.engine else { return false };
        if let Err(error) = engine.send_application_data(plaintext) {
            debug!(%error, "record not sent");
            return false;
        }
        let start = out.len();
        out.resize(start + plaintext.len() + RECORD_OVERHEAD, 0);
        let mut end = start;
        loop {
            match engine.poll_output(&mut out[end..]) {
                // Anything else that the engine had to say was drained before, so this is the record.
                Output::Packet(packet) => {
                    end += packet.len();
                    out.truncate(end);
                }
                Output::Timeout(deadline) => {
                    self.set_deadline(deadline);
                    break;
                }
                Output::BufferTooSmall { needed } => {
                    if end > start {
                        // A second datagram (a key update) is waiting; it goes the ordinary way.
                        let mut packet = vec![0; needed];
                        if let Output::Packet(p) = engine.poll_output(&mut packet) {
                            let len = p.len();
                            packet.truncate(len);
                            self.outgoing.push_back(packet);
                        }
                    } else {
                        out.resize(end + needed, 0);
                    }
                }
                _ => {}
            }
        }
        out.truncate(end);
        end > start
    }
}
