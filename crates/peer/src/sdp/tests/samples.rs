//! Offers in the shape in which other stacks write them. Addresses are from the documentation ranges.

/// Chrome, data only, with two trickled candidates in the text.
pub(crate) const CHROME: &str = "v=0\r\n\
    o=- 4611731400430051336 2 IN IP4 127.0.0.1\r\n\
    s=-\r\n\
    t=0 0\r\n\
    a=group:BUNDLE 0\r\n\
    a=extmap-allow-mixed\r\n\
    a=msid-semantic: WMS\r\n\
    m=application 54400 UDP/DTLS/SCTP webrtc-datachannel\r\n\
    c=IN IP4 203.0.113.7\r\n\
    a=candidate:2130405062 1 udp 2113937151 8b3c4c6e-0000-4aa7-8b9a-3b0c6f1c2d11.local 54400 typ host generation 0 network-cost 999\r\n\
    a=candidate:842163049 1 udp 1677729535 203.0.113.7 54400 typ srflx raddr 0.0.0.0 rport 0 generation 0 network-cost 999\r\n\
    a=ice-ufrag:EsAw\r\n\
    a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n\
    a=ice-options:trickle\r\n\
    a=fingerprint:sha-256 19:E2:1C:3B:4B:9F:81:E6:B8:5C:F4:A5:A8:D8:73:04:BB:05:2F:70:9F:04:A9:0E:05:E9:26:33:E8:70:88:A2\r\n\
    a=setup:actpass\r\n\
    a=mid:0\r\n\
    a=sctp-port:5000\r\n\
    a=max-message-size:262144\r\n";

/// Chrome, a camera and data with `bundlePolicy: 'balanced'`: audio comes first and owns the candidates.
pub(crate) const CHROME_MEDIA: &str = "v=0\r\n\
    o=- 7595655801978680453 2 IN IP4 127.0.0.1\r\n\
    s=-\r\n\
    t=0 0\r\n\
    a=group:BUNDLE 0 1 2\r\n\
    a=extmap-allow-mixed\r\n\
    a=msid-semantic: WMS 5Y3wOkVwYqZ2H1lQ\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126\r\n\
    c=IN IP4 0.0.0.0\r\n\
    a=rtcp:9 IN IP4 0.0.0.0\r\n\
    a=candidate:1 1 udp 2122260223 192.0.2.4 61665 typ host generation 0 network-id 1\r\n\
    a=ice-ufrag:l5AU\r\n\
    a=ice-pwd:ntEKPuV4mE6yv6PxSaEXBXq4\r\n\
    a=ice-options:trickle\r\n\
    a=fingerprint:sha-256 19:E2:1C:3B:4B:9F:81:E6:B8:5C:F4:A5:A8:D8:73:04:BB:05:2F:70:9F:04:A9:0E:05:E9:26:33:E8:70:88:A2\r\n\
    a=setup:actpass\r\n\
    a=mid:0\r\n\
    a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n\
    a=sendrecv\r\n\
    a=msid:5Y3wOkVwYqZ2H1lQ f83006c5\r\n\
    a=rtcp-mux\r\n\
    a=rtcp-rsize\r\n\
    a=rtpmap:111 opus/48000/2\r\n\
    a=fmtp:111 minptime=10;useinbandfec=1\r\n\
    a=ssrc:3735928559 cname:o/i14u9pJrxRKAsu\r\n\
    m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n\
    c=IN IP4 0.0.0.0\r\n\
    a=rtcp:9 IN IP4 0.0.0.0\r\n\
    a=ice-ufrag:l5AU\r\n\
    a=ice-pwd:ntEKPuV4mE6yv6PxSaEXBXq4\r\n\
    a=ice-options:trickle\r\n\
    a=fingerprint:sha-256 19:E2:1C:3B:4B:9F:81:E6:B8:5C:F4:A5:A8:D8:73:04:BB:05:2F:70:9F:04:A9:0E:05:E9:26:33:E8:70:88:A2\r\n\
    a=setup:actpass\r\n\
    a=mid:1\r\n\
    a=sendrecv\r\n\
    a=rtcp-mux\r\n\
    a=rtpmap:96 VP8/90000\r\n\
    a=rtpmap:97 rtx/90000\r\n\
    a=fmtp:97 apt=96\r\n\
    m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n\
    c=IN IP4 0.0.0.0\r\n\
    a=ice-ufrag:l5AU\r\n\
    a=ice-pwd:ntEKPuV4mE6yv6PxSaEXBXq4\r\n\
    a=ice-options:trickle\r\n\
    a=fingerprint:sha-256 19:E2:1C:3B:4B:9F:81:E6:B8:5C:F4:A5:A8:D8:73:04:BB:05:2F:70:9F:04:A9:0E:05:E9:26:33:E8:70:88:A2\r\n\
    a=setup:actpass\r\n\
    a=mid:2\r\n\
    a=sctp-port:5000\r\n\
    a=max-message-size:262144\r\n";

/// RFC 9143 to the letter, as with `bundlePolicy: 'max-bundle'`: all but the first section are bundle-only and
/// leave the transport to it.
pub(crate) const MAX_BUNDLE: &str = "v=0\r\n\
    o=- 1 1 IN IP4 0.0.0.0\r\n\
    s=-\r\n\
    t=0 0\r\n\
    a=group:BUNDLE a d\r\n\
    a=ice-options:trickle ice2\r\n\
    m=audio 10100 UDP/TLS/RTP/SAVPF 96\r\n\
    c=IN IP4 203.0.113.100\r\n\
    a=mid:a\r\n\
    a=rtpmap:96 opus/48000/2\r\n\
    a=ice-ufrag:ETEn\r\n\
    a=ice-pwd:OtSK0WpNtpUjkY4+86js7ZQl\r\n\
    a=fingerprint:sha-256 19:E2:1C:3B:4B:9F:81:E6:B8:5C:F4:A5:A8:D8:73:04:BB:05:2F:70:9F:04:A9:0E:05:E9:26:33:E8:70:88:A2\r\n\
    a=setup:actpass\r\n\
    a=tls-id:91bbf309c0990a6bec11e38ba2933cee\r\n\
    a=rtcp-mux\r\n\
    a=candidate:1 1 udp 2113929471 203.0.113.100 10100 typ host\r\n\
    a=end-of-candidates\r\n\
    m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n\
    c=IN IP4 0.0.0.0\r\n\
    a=bundle-only\r\n\
    a=mid:d\r\n\
    a=sctp-port:5000\r\n\
    a=max-message-size:65536\r\n";

/// Audio and video in two transports, after the example in RFC 9429, section 7.1; nothing for us.
pub(crate) const MEDIA: &str = "v=0\n\
    o=- 4962303333179871722 1 IN IP4 0.0.0.0\n\
    s=-\n\
    t=0 0\n\
    a=ice-options:trickle ice2\n\
    a=group:BUNDLE a1 v1\n\
    a=group:LS a1 v1\n\
    \n\
    m=audio 10100 UDP/TLS/RTP/SAVPF 96 0 8 97 98\n\
    c=IN IP4 203.0.113.100\n\
    a=mid:a1\n\
    a=rtpmap:96 opus/48000/2\n\
    a=ice-ufrag:ETEn\n\
    a=ice-pwd:OtSK0WpNtpUjkY4+86js7ZQl\n\
    a=fingerprint:sha-256 19:E2:1C:3B:4B:9F:81:E6:B8:5C:F4:A5:A8:D8:73:04:BB:05:2F:70:9F:04:A9:0E:05:E9:26:33:E8:70:88:A2\n\
    a=setup:actpass\n\
    a=rtcp:10101 IN IP4 203.0.113.100\n\
    a=rtcp-mux\n\
    m=video 10102 UDP/TLS/RTP/SAVPF 100 101\n\
    c=IN IP4 203.0.113.100\n\
    a=mid:v1\n\
    a=rtpmap:100 VP8/90000\n\
    a=ice-ufrag:BGKk\n\
    a=ice-pwd:mqyWsAjvtKwTGnvhPztQ9mIf\n\
    a=fingerprint:sha-256 19:E2:1C:3B:4B:9F:81:E6:B8:5C:F4:A5:A8:D8:73:04:BB:05:2F:70:9F:04:A9:0E:05:E9:26:33:E8:70:88:A2\n\
    a=setup:actpass\n";

/// Firefox, data only: session-level fingerprint and options, candidates of both families and TCP.
pub(crate) const FIREFOX: &str = "v=0\r\n\
    o=mozilla...THIS_IS_SDPARTA-99.0 4106262361294466829 0 IN IP4 0.0.0.0\r\n\
    s=-\r\n\
    t=0 0\r\n\
    a=fingerprint:sha-256 9B:5B:83:9F:41:6C:FB:7B:5F:2F:3A:6B:0F:B7:4B:07:9D:6E:43:1A:43:F1:8F:A0:D5:F4:11:4C:3B:EB:39:B1\r\n\
    a=group:BUNDLE 0\r\n\
    a=ice-options:trickle\r\n\
    a=msid-semantic:WMS *\r\n\
    m=application 58632 UDP/DTLS/SCTP webrtc-datachannel\r\n\
    c=IN IP4 192.0.2.33\r\n\
    a=candidate:0 1 UDP 2122252543 192.0.2.33 58632 typ host\r\n\
    a=candidate:2 1 UDP 2122187007 2001:db8::1:2 40001 typ host\r\n\
    a=candidate:4 1 TCP 2105524479 192.0.2.33 9 typ host tcptype active\r\n\
    a=candidate:1 1 UDP 1686052863 203.0.113.9 58632 typ srflx raddr 192.0.2.33 rport 58632\r\n\
    a=candidate:3 1 UDP 92217087 198.51.100.3 62001 typ relay raddr 198.51.100.3 rport 62001\r\n\
    a=sendrecv\r\n\
    a=end-of-candidates\r\n\
    a=ice-pwd:79eb9e4a2a1e9d0b3ba2d7ba3b1d4b93\r\n\
    a=ice-ufrag:5ce0a1f4\r\n\
    a=mid:0\r\n\
    a=setup:actpass\r\n\
    a=sctp-port:5000\r\n\
    a=max-message-size:1073741823\r\n";

/// Firefox before 63 and other stacks of that time: the old form of data sections, no mid, no BUNDLE.
pub(crate) const LEGACY: &str = "v=0\n\
    o=mozilla...THIS_IS_SDPARTA-52.0 6345212345123451234 0 IN IP4 0.0.0.0\n\
    s=-\n\
    t=0 0\n\
    a=fingerprint:SHA-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB\n\
    m=application 9 DTLS/SCTP 5001\n\
    c=IN IP6 ::\n\
    a=sendrecv\n\
    a=ice-pwd:79eb9e4a2a1e9d0b3ba2d7ba3b1d4b93\n\
    a=ice-ufrag:5ce0a1f4\n\
    a=sctpmap:5001 webrtc-datachannel 256\n\
    a=setup:actpass\n";

/// Safari, data only.
pub(crate) const SAFARI: &str = "v=0\r\n\
    o=- 3298462376234 2 IN IP4 127.0.0.1\r\n\
    s=-\r\n\
    t=0 0\r\n\
    a=group:BUNDLE 0\r\n\
    a=extmap-allow-mixed\r\n\
    a=msid-semantic: WMS\r\n\
    m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n\
    c=IN IP4 0.0.0.0\r\n\
    b=AS:30\r\n\
    a=ice-ufrag:p9iM\r\n\
    a=ice-pwd:TzB8pX2/1C9mB9YkJvWLGbJL\r\n\
    a=ice-options:trickle\r\n\
    a=fingerprint:sha-256 6B:8B:5D:EA:59:04:20:23:29:C8:87:1C:CC:87:32:BE:DD:8C:66:A5:8E:50:55:EA:8C:D3:B6:5C:09:5E:D6:BC\r\n\
    a=setup:actpass\r\n\
    a=mid:0\r\n\
    a=sctp-port:5000\r\n\
    a=max-message-size:262144\r\n";

/// node-datachannel (libdatachannel): its own mid, options with a comma, setup and fingerprint at the top.
pub(crate) const NODE_DATACHANNEL: &str = "v=0\r\n\
    o=rtc 3097665466 0 IN IP4 127.0.0.1\r\n\
    s=-\r\n\
    t=0 0\r\n\
    a=group:BUNDLE data\r\n\
    a=group:LS data\r\n\
    a=msid-semantic:WMS *\r\n\
    a=setup:actpass\r\n\
    a=ice-ufrag:wQ3i\r\n\
    a=ice-pwd:v0b6h1wCkLdeP3r2sT5uVx\r\n\
    a=ice-options:ice2,trickle\r\n\
    a=fingerprint:sha-256 6B:8B:5D:EA:59:04:20:23:29:C8:87:1C:CC:87:32:BE:DD:8C:66:A5:8E:50:55:EA:8C:D3:B6:5C:09:5E:D6:BC\r\n\
    m=application 50482 UDP/DTLS/SCTP webrtc-datachannel\r\n\
    c=IN IP4 192.0.2.80\r\n\
    a=mid:data\r\n\
    a=sendrecv\r\n\
    a=sctp-port:5000\r\n\
    a=max-message-size:262144\r\n\
    a=candidate:1 1 UDP 2122317823 192.0.2.80 50482 typ host\r\n\
    a=candidate:2 1 UDP 2122317311 2001:db8::80 50482 typ host\r\n\
    a=end-of-candidates\r\n";

/// werift: the credentials come after the candidates, `a=sctpmap` and `a=sctp-port` side by side.
pub(crate) const WERIFT: &str = "v=0\r\n\
    o=- 17283904 0 IN IP4 0.0.0.0\r\n\
    s=-\r\n\
    t=0 0\r\n\
    a=group:BUNDLE 0\r\n\
    a=extmap-allow-mixed\r\n\
    a=msid-semantic:WMS *\r\n\
    m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n\
    c=IN IP4 0.0.0.0\r\n\
    a=ice-ufrag:9a3f\r\n\
    a=ice-pwd:e1d2c3b4a5968778695a4b3c2d1e0f\r\n\
    a=ice-options:trickle\r\n\
    a=fingerprint:sha-256 6B:8B:5D:EA:59:04:20:23:29:C8:87:1C:CC:87:32:BE:DD:8C:66:A5:8E:50:55:EA:8C:D3:B6:5C:09:5E:D6:BC\r\n\
    a=setup:actpass\r\n\
    a=mid:0\r\n\
    a=sctp-port:5000\r\n\
    a=sctpmap:5000 webrtc-datachannel 65535\r\n\
    a=max-message-size:65536\r\n\
    a=sendrecv\r\n";

/// Pion and webrtc-rs: fingerprint at the top, no size, every candidate once per component.
pub(crate) const PION: &str = "v=0\r\n\
    o=- 3567864591284023517 1700000000 IN IP4 0.0.0.0\r\n\
    s=-\r\n\
    t=0 0\r\n\
    a=msid-semantic:WMS*\r\n\
    a=fingerprint:sha-256 6B:8B:5D:EA:59:04:20:23:29:C8:87:1C:CC:87:32:BE:DD:8C:66:A5:8E:50:55:EA:8C:D3:B6:5C:09:5E:D6:BC\r\n\
    a=extmap-allow-mixed\r\n\
    a=group:BUNDLE 0\r\n\
    m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n\
    c=IN IP4 0.0.0.0\r\n\
    a=setup:actpass\r\n\
    a=mid:0\r\n\
    a=sendrecv\r\n\
    a=sctp-port:5000\r\n\
    a=ice-ufrag:kmAzBXWFTQkWnZGF\r\n\
    a=ice-pwd:vWGBBQFLnPsfOPIqbAgWuyBmYPYWkhxQ\r\n\
    a=candidate:233762139 1 udp 2130706431 192.0.2.5 46521 typ host\r\n\
    a=candidate:233762139 2 udp 2130706430 192.0.2.5 46521 typ host\r\n\
    a=end-of-candidates\r\n";

/// aiortc: the old form with a BUNDLE group, several fingerprints.
pub(crate) const AIORTC: &str = "v=0\r\n\
    o=- 3909245633 3909245633 IN IP4 0.0.0.0\r\n\
    s=-\r\n\
    t=0 0\r\n\
    a=group:BUNDLE 0\r\n\
    a=msid-semantic:WMS *\r\n\
    m=application 52114 DTLS/SCTP 5000\r\n\
    c=IN IP4 192.0.2.17\r\n\
    a=mid:0\r\n\
    a=sctpmap:5000 webrtc-datachannel 65535\r\n\
    a=max-message-size:65536\r\n\
    a=candidate:4e9e3f1b8d4e6f0b2a1c3d5e7f90a1b2 1 udp 2130706431 192.0.2.17 52114 typ host\r\n\
    a=end-of-candidates\r\n\
    a=ice-ufrag:gAmR\r\n\
    a=ice-pwd:Cf1iHwGQ8dVYmJ1hVAyC2w\r\n\
    a=fingerprint:sha-256 6B:8B:5D:EA:59:04:20:23:29:C8:87:1C:CC:87:32:BE:DD:8C:66:A5:8E:50:55:EA:8C:D3:B6:5C:09:5E:D6:BC\r\n\
    a=fingerprint:md5 6B:8B:5D:EA:59:04:20:23:29:C8:87:1C:CC:87:32:BE\r\n\
    a=fingerprint:sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB\r\n\
    a=setup:actpass\r\n";

/// A lite server that answers on one public address and writes lines that most clients never see.
pub(crate) const LITE: &str = "v=0\r\n\
    o=- 1700000000 1 IN IP4 198.51.100.1\r\n\
    s=server\r\n\
    i=a media server\r\n\
    u=https://example.org/\r\n\
    e=admin@example.org\r\n\
    p=+1 617 555-6011\r\n\
    b=X-YZ:128\r\n\
    t=2873397496 2873404696\r\n\
    r=604800 3600 0 90000\r\n\
    z=2882844526 -1h\r\n\
    a=ice-lite\r\n\
    a=group:BUNDLE chat\r\n\
    a=x-unknown:anything goes: here\r\n\
    m=message 0 TCP/MSRP *\r\n\
    m=application 0 UDP/BFCP *\r\n\
    m=application 3478 UDP/DTLS/SCTP webrtc-datachannel\r\n\
    c=IN IP4 198.51.100.1\r\n\
    a=mid:chat\r\n\
    a=ice-ufrag:lite\r\n\
    a=ice-pwd:lite/password/with/22/characters\r\n\
    a=fingerprint:sha-512 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F\r\n\
    a=setup:passive\r\n\
    a=candidate:1 1 ssltcp 1 198.51.100.1 443 typ host\r\n\
    a=candidate:1 1 udp 2130706431 198.51.100.1 3478 typ host\r\n\
    a=candidate:2 1 tcp 1015021823 server.example.org 443 typ host tcptype passive\r\n\
    a=end-of-candidates\r\n";

/// All of them, with a name for messages.
pub(crate) const ALL: [(&str, &str); 11] = [
    ("Chrome", CHROME),
    ("Chrome with media", CHROME_MEDIA),
    ("max-bundle", MAX_BUNDLE),
    ("Firefox", FIREFOX),
    ("old form", LEGACY),
    ("Safari", SAFARI),
    ("node-datachannel", NODE_DATACHANNEL),
    ("werift", WERIFT),
    ("Pion", PION),
    ("aiortc", AIORTC),
    ("lite server", LITE),
];

/// Offers of audio, video and data, as the stacks write them today.
pub(crate) mod media {
    /// Chromium 156: `addTransceiver` for both, in `balanced`.
    pub(crate) const CHROMIUM: &str = include_str!("offers/chromium.sdp");
    /// The same with a camera in three sizes.
    pub(crate) const CHROMIUM_SIMULCAST: &str = include_str!("offers/chromium-simulcast.sdp");
    /// Firefox 153.
    pub(crate) const FIREFOX: &str = include_str!("offers/firefox.sdp");
    /// The same with a camera in three sizes.
    pub(crate) const FIREFOX_SIMULCAST: &str = include_str!("offers/firefox-simulcast.sdp");
    /// werift: no header extensions, no retransmission.
    pub(crate) const WERIFT: &str = include_str!("offers/werift.sdp");
    /// @roamhq/wrtc, a libwebrtc of some years ago.
    pub(crate) const WRTC: &str = include_str!("offers/wrtc.sdp");
    /// What mediasoup-client writes for a server in the shape of mediasoup, with the section that it probes bandwidth in.
    pub(crate) const MEDIASOUP: &str = include_str!("offers/mediasoup.sdp");
    /// A server in the shape of Janus: one codec per section.
    pub(crate) const JANUS: &str = include_str!("offers/janus.sdp");

    /// All of them, with a name for messages.
    pub(crate) const ALL: [(&str, &str); 8] = [
        ("Chromium", CHROMIUM),
        ("Chromium, simulcast", CHROMIUM_SIMULCAST),
        ("Firefox", FIREFOX),
        ("Firefox, simulcast", FIREFOX_SIMULCAST),
        ("werift", WERIFT),
        ("wrtc", WRTC),
        ("mediasoup", MEDIASOUP),
        ("Janus", JANUS),
    ];
}
