// What goes through a channel.

/** What a channel carries: text stays text, binary data arrives as `ArrayBuffer`. */
export type ChannelData = string | ArrayBuffer;

/** What can be sent. */
export type ChannelPayload = string | ArrayBuffer | ArrayBufferView | Blob;
