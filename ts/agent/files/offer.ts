/** What the sender says about its file, checked for its form. */
export interface Offer {
  id: string;
  name: string;
  mediaType?: string;
  size?: number;
  modified?: number;
  metadata?: string;
  traceparent?: string;
  tracestate?: string;
}
