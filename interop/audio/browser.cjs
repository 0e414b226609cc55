/* global AudioContext, Audio, MediaStream, OscillatorNode, GainNode, MediaStreamAudioDestinationNode, MediaStreamAudioSourceNode, AnalyserNode */
/** The samples of a page, by WebAudio. Its text runs in browsers: it uses nothing from outside the function. */
function createBrowserAudio() {
  let context;

  async function running() {
    context ??= new AudioContext({ sampleRate: 48_000 });
    if (context.state !== 'running') await context.resume();
    return context;
  }

  return {
    async tone(frequency, level) {
      const context = await running();
      const oscillator = new OscillatorNode(context, { frequency });
      const gain = new GainNode(context, { gain: level });
      const destination = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
      oscillator.connect(gain).connect(destination);
      oscillator.start();
      const [track] = destination.stream.getTracks();
      return {
        track,
        stop() {
          oscillator.stop();
          track.stop();
        },
      };
    },

    async listen(track) {
      const context = await running();
      const stream = new MediaStream([track]);
      // Chromium gives WebAudio what a remote track carries only while an element plays it as well.
      const element = new Audio();
      element.muted = true;
      element.srcObject = stream;
      element.play().catch(() => undefined); // interrupted by stop()
      const source = new MediaStreamAudioSourceNode(context, { mediaStream: stream });
      const analyser = new AnalyserNode(context, { fftSize: 4096 });
      source.connect(analyser);
      return {
        window() {
          const samples = new Float32Array(analyser.fftSize);
          analyser.getFloatTimeDomainData(samples);
          return { samples, sampleRate: context.sampleRate };
        },
        stop() {
          source.disconnect();
          element.srcObject = null;
        },
      };
    },
  };
}

module.exports = { createBrowserAudio };
