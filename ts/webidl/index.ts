// What WebIDL demands of any interface: conversions, dictionaries, event handlers, the shape of classes. Knows no interface.
export * from './conversions';
export { dictionary, type DictionaryConverter } from './dictionary';
export { EventHandlers, type EventHandler } from './event-handlers';
export {
  constructible,
  exposeInterface,
  illegalConstructor,
  invokeCallback,
  promiseOperation,
  reportException,
  thrown,
} from './interface';
