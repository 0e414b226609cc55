// What a connection is made with: its dictionary and the checks of it, server URLs, certificates. Defaults of the core live there.
export {
  certificateFromPEM,
  certificateToPEM,
  checkKeygenAlgorithm,
  generateCertificate,
  nativeCertificateOf,
  RTCCertificate,
  type RTCCertificateAlgorithm,
  type RTCCertificateExpiration,
  type RTCDtlsFingerprint,
} from './certificate';
export {
  checkCertificates,
  checkIceServers,
  checkModification,
  convertConfiguration,
  copyConfiguration,
  type Configuration,
  type RTCConfiguration,
  type RTCIceServer,
} from './configuration';
export type { RTCTransportOptions } from './transport-options';
