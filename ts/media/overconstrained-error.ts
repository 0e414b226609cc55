import { DOMException } from '../platform';
import { DOMString, exposeInterface, requireArguments } from '../webidl';

/** A constraint that cannot be met (mediacapture-streams 12.1). */
export class OverconstrainedError extends DOMException {
  readonly #constraint: string;

  /** `constraint` is the name of a member of {@link MediaTrackConstraints}. */
  constructor(constraint: string, message = '') {
    requireArguments(arguments.length, 1, 'new OverconstrainedError');
    const name = DOMString(constraint, 'constraint');
    super(DOMString(message, 'message'), 'OverconstrainedError');
    this.#constraint = name;
  }

  /** The name of the constraint. */
  get constraint(): string {
    return this.#constraint;
  }
}

exposeInterface(OverconstrainedError, 'OverconstrainedError');
