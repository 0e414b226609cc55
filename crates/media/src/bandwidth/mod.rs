//! How much a path carries: Google congestion control (draft-ietf-rmcat-gcc-02, with what libwebrtc made of it since) over
//! transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01).
//!
//! The sender's side: [`BandwidthEstimator`] is told what was sent and what the feedback says of it, and tells how much to send;
//! [`Pacer`] holds packets back so that they leave at that rate, and carries out the probes that find out whether more would get
//! through. The receiver's side: [`ArrivalRecorder`] makes the content of the feedback. None of them knows packets, RTCP or
//! SSRCs. Rates are bits per second, sizes bytes on the wire, time is what the caller passes.
//!
//! Within the estimator, [`trend`] sees queues grow, [`aimd`] makes a rate of that, [`loss`] bounds it where packets are lost to
//! congestion, [`throughput`] is what has arrived, [`probe`] tries more at once, [`limited`] sees an application that sends less.

mod aimd;
mod arrivals;
mod estimator;
mod history;
mod limited;
mod loss;
mod pacer;
mod probe;
mod throughput;
mod trend;

#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod simulation_tests;

pub use arrivals::{ArrivalFeedback, ArrivalRecorder};
pub use estimator::{BandwidthConfig, BandwidthEstimator};
pub use pacer::{Paced, Pacer, PacerFull, Priority};
pub use probe::Probe;
