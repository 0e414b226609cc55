import './native/loader';
