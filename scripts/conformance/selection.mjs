// Which of the files that `../shared/conformance` leaves out are run.
import { EXCLUDED as LEFT_OUT } from '../../../shared/conformance/wpt-selection.mjs';

/** Why a file was left out, where that is no reason any more. */
const MEDIA = /media|^RTP|tracks|channel priority/;
/** Not looked at there. */
const FURTHER = [
  'webrtc/simulcast/negotiation-encodings.https.html',
  'webrtc/simulcast/rid-manipulation.html',
  'webrtc/simulcast/setParameters-encodings.https.html',
];
const FRAMES = 'needs iframes';
const PICTURES = 'looks at pictures: this package neither makes nor shows any';

/** Files that stay out, and why. */
export const EXCLUDED = {
  ...Object.fromEntries(Object.entries(LEFT_OUT).filter(([, why]) => !MEDIA.test(why))),
  'webrtc/RTCPeerConnection-GC.https.html': PICTURES,
  'webrtc/RTCPeerConnection-capture-video.https.html': PICTURES,
  'webrtc/RTCPeerConnection-perfect-negotiation-stress-glare-linear.https.html': FRAMES,
  'webrtc/RTCPeerConnection-perfect-negotiation-stress-glare.https.html': FRAMES,
  'webrtc/RTCPeerConnection-perfect-negotiation.https.html': FRAMES,
  'webrtc/RTCPeerConnection-relay-canvas.https.html': PICTURES,
  'webrtc/RTCPeerConnection-remote-track-currentTime.https.html': PICTURES,
  'webrtc/RTCPeerConnection-videoDetectorTest.html': PICTURES,
  'webrtc/RTCRtpReceiver-track-settings.tentative.html': PICTURES,
  'webrtc/RTCRtpSender-encode-same-track-twice.https.html': PICTURES,
  'webrtc/protocol/h264-profile-levels.https.html': PICTURES,
  'webrtc/protocol/rtp-demuxing.html': PICTURES,
  'webrtc/receiver-track-live.https.html': PICTURES,
  'webrtc/simplecall-no-ssrcs.https.html': PICTURES,
  'webrtc/simplecall.https.html': PICTURES,
  'webrtc/legacy/simplecall_callbacks.optional.https.html': PICTURES,
  'webrtc/protocol/bundle.https.html': PICTURES,
  'webrtc/protocol/split.https.html': PICTURES,
  'webrtc-extensions/RTCRtpCorruptionDetection-headerExtensionControl.html': PICTURES,
  'webrtc-stats/hardware-capability-stats.https.html': PICTURES,
  'webrtc-extensions/RTCRtpEncodingParameters-scaleResolutionDownTo.https.html': PICTURES,
  'webrtc-extensions/RTCRtpSynchronizationSource-captureTimestamp.html': PICTURES,
  'webrtc-extensions/RTCRtpSynchronizationSource-senderCaptureTimeOffset.html': PICTURES,
};
export const SELECTED = [...Object.keys(LEFT_OUT), ...FURTHER].filter((file) => !(file in EXCLUDED));
