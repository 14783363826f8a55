/** Of Node's globals, what the core uses: esbuild puts them where they are named. */
export const Buffer = { byteLength: (text: string) => new TextEncoder().encode(text).length };
export const process = { env: {}, emitWarning: () => undefined };
