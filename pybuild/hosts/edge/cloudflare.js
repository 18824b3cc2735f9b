// Cloudflare Workers: env.ASSETS has the files, under their own names.
export default {
  fetch(request, env) {
    return pbServeRequest(PB, request, {
      file(path, method, asked) {
        const url = new URL(request.url);
        url.pathname = path;
        url.search = '';
        return env.ASSETS.fetch(asked ? new Request(url, request) : new Request(url, { method, redirect: 'manual' }));
      },
      env: (name) => env[name],
    });
  },
};
