// Messages of the service as binary frames: a JSON text and the buffers that belong to it.

const ALIGNMENT = 8;

interface Head {
  readonly part: string;
  readonly sizes: readonly number[];
}

export interface StateFrame extends Head {
  readonly kind: "state";
  readonly state: Record<string, unknown>;
  readonly paths: readonly (readonly (string | number)[])[];
}

export interface MessageFrame extends Head {
  readonly kind: "message";
  readonly content: object;
}

export type Frame = StateFrame | MessageFrame;

/** Return what a frame holds; the buffers of a state are in their places. */
export function readFrame(data: ArrayBuffer): [frame: Frame, buffers: DataView[]] {
  const length = new DataView(data).getUint32(0, true);
  const frame = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length))) as Frame;
  let at = 4 + length;
  const buffers = frame.sizes.map((size) => {
    at += (ALIGNMENT - (at % ALIGNMENT)) % ALIGNMENT;
    const view = new DataView(data, at, size);
    at += size;
    return view;
  });
  if (frame.kind === "state") {
    frame.paths.forEach((path, index) => {
      put(frame.state, path, buffers[index]);
    });
  }
  return [frame, buffers];
}

function put(state: object, path: readonly (string | number)[], buffer: DataView): void {
  // biome-ignore lint/suspicious/noExplicitAny: objects and lists, as the path says
  let node = state as any;
  for (const step of path.slice(0, -1)) node = node[step];
  node[path[path.length - 1]] = buffer;
}
