/** The version of the native core. */
declare const version: string;

export { version };
