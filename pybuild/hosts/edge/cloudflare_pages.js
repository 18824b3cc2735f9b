// Cloudflare Pages: env.ASSETS has the files; it gives pages under their address without suffix alone.
export default {
  fetch(request, env) {
    return pbServeRequest(PB, request, {
      file(path, method, asked) {
        const url = new URL(request.url);
        url.pathname = path.replace(/(?:(\/)index)?\.html$/, "$1");
        url.search = '';
        const headers = new Headers(asked ? request.headers : {});
        headers.delete('accept-encoding');
        return env.ASSETS.fetch(new Request(url, { method, headers, redirect: 'manual' }));
      },
      env: (name) => env[name],
    });
  },
};
