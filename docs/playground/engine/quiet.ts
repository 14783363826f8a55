/** When nothing is left that could go on by itself: a message of a channel comes only when no promise has a reaction left. */
export function quiet(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port2.addEventListener('message', () => {
      port1.close();
      port2.close();
      resolve();
    });
    port2.start();
    port1.postMessage(undefined);
  });
}
